// A modal dialog on the browser's own element, which keeps the focus inside, closes on Escape and gives the focus back.
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Button } from './button.tsx';
import './dialog.css';

export interface DialogProps {
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons at the end. */
  readonly footer?: ReactNode;
  readonly wide?: boolean;
}

export function Dialog({ title, open, onClose, children, footer, wide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={titleId}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      {open && (
        <div className='dialog-body'>
          <div className='dialog-head'>
            <h2 id={titleId} className='wrap-anywhere'>
              {title}
            </h2>
            <Button kind='quiet' className='push' onClick={onClose}>
              Close
            </Button>
          </div>
          {children}
          {footer !== undefined && <div className='dialog-foot row'>{footer}</div>}
        </div>
      )}
    </dialog>
  );
}
