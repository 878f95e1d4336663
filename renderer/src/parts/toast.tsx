// Owns the short messages at the page's corner, and the ten seconds in which an action can be undone.
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from 'react';
import { Button } from './button.tsx';
import './toast.css';

export interface Toast {
  readonly text: string;
  /** Takes the action back; offered for ten seconds. */
  readonly undo?: () => void;
  readonly tone?: 'plain' | 'problem';
}

const UNDO_MS = 10_000;
const PLAIN_MS = 4_000;

type Shown = Toast & { readonly id: number };
const ToastContext = createContext<(toast: Toast) => void>(() => undefined);

/** Shows a message. */
export const useToast = (): ((toast: Toast) => void) => useContext(ToastContext);

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [shown, setShown] = useState<readonly Shown[]>([]);
  const nextId = useRef(1);
  const drop = useCallback((id: number) => setShown((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      const id = nextId.current++;
      setShown((all) => [...all.slice(-3), { ...toast, id }]);
      setTimeout(() => drop(id), toast.undo === undefined ? PLAIN_MS : UNDO_MS);
    },
    [drop],
  );
  const list = useMemo(() => <Toasts shown={shown} drop={drop} />, [shown, drop]);
  return (
    <ToastContext value={show}>
      {children}
      {list}
    </ToastContext>
  );
}

function Toasts({ shown, drop }: { readonly shown: readonly Shown[]; readonly drop: (id: number) => void }) {
  return (
    <div className='toasts' role='status' aria-label='Messages'>
      {shown.map(({ id, text, undo, tone = 'plain' }) => (
        <div key={id} className={`toast ${tone}`}>
          <span className='wrap-anywhere'>{text}</span>
          {undo !== undefined && (
            <Button
              onClick={() => {
                undo();
                drop(id);
              }}
            >
              Undo
            </Button>
          )}
          <Button kind='quiet' aria-label='Dismiss the message' onClick={() => drop(id)}>
            ×
          </Button>
        </div>
      ))}
    </div>
  );
}
