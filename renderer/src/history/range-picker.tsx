// The range of time of a screen, kept in the place's query so that it can be linked and gone back to.
import { useEffect, useState } from 'react';
import type { TimeRange } from '../../../engine/contract.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Choice } from '../parts/select.tsx';
import { usePlaceQuery } from '../shell/hash-location.ts';
import { fromInputTime, PRESETS, rangeOf, readChoice, toInputTime, type PresetName } from './ranges.ts';

export interface PickedRange {
  readonly range: TimeRange;
  readonly preset: PresetName | null;
}

const TICK_MS = 30_000;

/** The range that the place asks for; a preset moves on with the clock. */
export function usePickedRange(fallback: PresetName): PickedRange {
  const [query] = usePlaceQuery();
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const choice = readChoice(query, fallback);
  return { range: rangeOf(choice, nowMs), preset: choice.kind === 'preset' ? choice.name : null };
}

const OPTIONS = [
  ...(Object.keys(PRESETS) as PresetName[]).map((value) => ({ value, label: PRESETS[value].label })),
  { value: 'custom' as const, label: 'From … to' },
];

export function RangePicker({ picked }: { readonly picked: PickedRange }) {
  const [, change] = usePlaceQuery();
  const [asking, setAsking] = useState(false);
  const choose = (value: PresetName | 'custom'): void => {
    if (value === 'custom') setAsking(true);
    else change({ range: value, from: null, to: null });
  };
  return (
    <>
      <Choice label='Range of time' value={picked.preset ?? 'custom'} options={OPTIONS} onChange={choose} />
      <RangeDialog
        range={picked.range}
        open={asking}
        onClose={() => setAsking(false)}
        onPick={({ fromMs, toMs }) => change({ range: null, from: String(fromMs), to: String(toMs) })}
      />
    </>
  );
}

interface RangeDialogProps {
  readonly range: TimeRange;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onPick: (range: TimeRange) => void;
}

function RangeDialog({ range, open, onClose, onPick }: RangeDialogProps) {
  const [ends, setEnds] = useState<{ readonly from: string; readonly to: string } | null>(null);
  const { from, to } = ends ?? { from: toInputTime(range.fromMs), to: toInputTime(range.toMs) };
  const [fromMs, toMs] = [fromInputTime(from), fromInputTime(to)];
  const valid = fromMs !== null && toMs !== null && fromMs < toMs;
  const close = (): void => {
    setEnds(null);
    onClose();
  };
  const pick = (): void => {
    if (valid) onPick({ fromMs, toMs });
    close();
  };
  const footer = (
    <Button kind='primary' disabled={!valid} onClick={pick}>
      Show
    </Button>
  );
  return (
    <Dialog title='Range of time' open={open} onClose={close} footer={footer}>
      <Field label='From'>
        {(ties) => <input {...ties} type='datetime-local' value={from} onChange={(event) => setEnds({ from: event.target.value, to })} />}
      </Field>
      <Field label='To' error={valid ? null : 'The end must be after the beginning.'}>
        {(ties) => <input {...ties} type='datetime-local' value={to} onChange={(event) => setEnds({ from, to: event.target.value })} />}
      </Field>
    </Dialog>
  );
}
