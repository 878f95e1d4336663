// A choice among few, with its label; and the same as a row of buttons.
import { useId } from 'react';
import './field.css';
import './select.css';

export interface Option<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

export interface SelectProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly Option<Value>[];
  readonly onChange: (value: Value) => void;
  /** The label is for screen readers alone. */
  readonly hideLabel?: boolean;
  readonly disabled?: boolean;
}

export function Select<Value extends string>({ label, value, options, onChange, hideLabel = false, disabled = false }: SelectProps<Value>) {
  const id = useId();
  const choose = (text: string): void => {
    const chosen = options.find((option) => option.value === text);
    if (chosen !== undefined) onChange(chosen.value);
  };
  return (
    <span className='select field'>
      <label htmlFor={id} className={hideLabel ? 'sr-only' : ''}>
        {label}
      </label>
      <select id={id} value={value} disabled={disabled} onChange={(event) => choose(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </span>
  );
}

/** The same choice drawn as one row of buttons, for two to six short options. */
export function Choice<Value extends string>({ label, value, options, onChange }: Omit<SelectProps<Value>, 'hideLabel' | 'disabled'>) {
  return (
    <span className='choice' role='group' aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type='button' aria-pressed={option.value === value} onClick={() => onChange(option.value)}>
          {option.label}
        </button>
      ))}
    </span>
  );
}
