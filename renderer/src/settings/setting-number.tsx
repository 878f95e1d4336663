// A number of a draft. An empty box is kept as NaN, which the engine refuses by the field's name.
import { NumberField } from '../parts/field.tsx';
import type { Form } from './section.tsx';

export interface SettingNumberProps<T, K extends keyof T & string> {
  readonly form: Form<T>;
  readonly name: K;
  readonly label: string;
  readonly unit?: string;
  readonly hint?: string;
  /** An empty box means null: no limit, never, off. */
  readonly optional?: boolean;
}

export function SettingNumber<T, K extends keyof T & string>({
  form,
  name,
  label,
  unit,
  hint,
  optional = false,
}: SettingNumberProps<T, K>) {
  const value = form.draft[name];
  const number = typeof value === 'number' && !Number.isNaN(value) ? value : null;
  // The caller names a field that holds a number, or null where `optional` is set.
  const change = (next: number | null): void => form.set({ [name]: next ?? (optional ? null : Number.NaN) } as Partial<T>);
  return <NumberField label={label} unit={unit} hint={hint} value={number} onChange={change} error={form.error(name)} />;
}
