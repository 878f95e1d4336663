// A labelled control with its hint, unit and error; text, number and check box.
import { useId, type ReactNode } from 'react';
import './field.css';

interface FieldFrame {
  readonly label: string;
  readonly hint?: string | undefined;
  /** Said below the control and tied to it. */
  readonly error?: string | null | undefined;
  readonly unit?: string | undefined;
}

export interface FieldProps extends FieldFrame {
  /** Draws the control; the given attributes tie it to its label, hint and error. */
  readonly children: (ties: { readonly id: string; readonly 'aria-describedby': string; readonly 'aria-invalid': boolean }) => ReactNode;
}

export function Field({ label, hint, error, unit, children }: FieldProps) {
  const id = useId();
  const wrong = error !== null && error !== undefined;
  return (
    <div className='field'>
      <label htmlFor={id}>{label}</label>
      <span className='field-control'>
        {children({ id, 'aria-describedby': `${id}-hint`, 'aria-invalid': wrong })}
        {unit !== undefined && <span className='quiet'>{unit}</span>}
      </span>
      <span id={`${id}-hint`} className={wrong ? 'field-error' : 'field-hint'}>
        {wrong ? error : hint}
      </span>
    </div>
  );
}

export interface TextFieldProps extends FieldFrame {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly kind?: 'text' | 'password' | 'url' | 'search';
}

export function TextField({ value, onChange, placeholder, kind = 'text', ...frame }: TextFieldProps) {
  return (
    <Field {...frame}>
      {(ties) => (
        <input
          {...ties}
          type={kind}
          value={value}
          placeholder={placeholder}
          autoComplete='off'
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export interface NumberFieldProps extends FieldFrame {
  /** Null: empty. */
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number | 'any';
}

export function NumberField({ value, onChange, min, max, step = 'any', ...frame }: NumberFieldProps) {
  return (
    <Field {...frame}>
      {(ties) => (
        <input
          {...ties}
          type='number'
          inputMode='decimal'
          value={value ?? ''}
          min={min}
          max={max}
          step={step}
          onChange={(event) => onChange(Number.isNaN(event.target.valueAsNumber) ? null : event.target.valueAsNumber)}
        />
      )}
    </Field>
  );
}

export interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}

export function Check({ label, checked, onChange, disabled = false }: CheckProps) {
  return (
    <label className='check'>
      <input type='checkbox' checked={checked} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}
