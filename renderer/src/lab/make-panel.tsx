// Makes one more variant of a model, as a job.
import { useState } from 'react';
import type { ModelVariants } from '../../../engine/contract.ts';
import { Button } from '../parts/button.tsx';
import { Check } from '../parts/field.tsx';
import { Panel } from '../parts/panel.tsx';
import { Select } from '../parts/select.tsx';
import type { Lab, LabPrecision } from './use-lab.ts';

const CHOICES: readonly { readonly value: LabPrecision; readonly label: string }[] = [
  { value: 'int8', label: 'INT8' },
  { value: 'int4', label: 'INT4' },
  { value: 'fp32', label: 'FP32' },
];

export function MakePanel({ table, lab }: { readonly table: ModelVariants; readonly lab: Lab }) {
  const missing = CHOICES.find(({ value }) => table.variants.every(({ precision }) => precision !== value))?.value;
  const [precision, setPrecision] = useState<LabPrecision>(missing ?? 'int4');
  const [anew, setAnew] = useState(false);
  return (
    <Panel title='Make another variant'>
      <p className='quiet'>
        INT8 unless a measurement or the memory says otherwise. It is made and measured beside float32 at low priority, while the model goes
        on answering as before.
      </p>
      <div className='row'>
        <Select label='Precision' value={precision} options={CHOICES} onChange={setPrecision} />
        {precision === 'int4' && table.kind === 'decoder' && (
          <Check label='Round a 4-bit file’s weights anew' checked={anew} onChange={setAnew} />
        )}
        <Button kind='primary' busy={lab.busy} onClick={() => void lab.quantise(precision, anew)}>
          Quantise and measure
        </Button>
      </div>
    </Panel>
  );
}
