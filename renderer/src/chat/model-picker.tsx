// Which model answers, and which one beside it.
import { Select } from '../parts/select.tsx';
import type { ChatModel } from './choose-models.ts';

export interface ModelPickerProps {
  readonly installed: readonly ChatModel[];
  /** One, or two side by side. */
  readonly models: readonly string[];
  readonly onChange: (models: readonly string[]) => void;
}

const NONE = '';

export function ModelPicker({ installed, models, onChange }: ModelPickerProps) {
  const [first = NONE, second = NONE] = models;
  const options = installed.map(({ id, ready }) => ({ value: id, label: ready ? id : `${id} (not loaded)` }));
  const only = (list: readonly string[]): void => onChange(list.filter((id) => id !== NONE));
  const none = { value: NONE, label: installed.length === 0 ? 'no model' : 'nothing' };
  return (
    <span className='model-picker row'>
      <Select
        label='Model'
        hideLabel
        value={first}
        options={options.length === 0 ? [none] : options}
        disabled={options.length === 0}
        onChange={(id) => only([id, second])}
      />
      {options.length > 0 && (
        <Select
          label='Compare with'
          hideLabel
          value={second}
          options={[{ value: NONE, label: 'compare with…' }, ...options]}
          onChange={(id) => only([first, id])}
        />
      )}
    </span>
  );
}
