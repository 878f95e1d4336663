// What a place says before there is anything to show: what belongs here, and how to get it.
import type { ReactNode } from 'react';
import './empty.css';

export function Empty({ title, children, action }: { readonly title: string; readonly children?: ReactNode; readonly action?: ReactNode }) {
  return (
    <div className='empty'>
      <strong>{title}</strong>
      {children !== undefined && <p className='quiet'>{children}</p>}
      {action}
    </div>
  );
}

/** Grey lines of the size of what is loading, so that nothing jumps when it comes. */
export function Loading({ lines = 3, label = 'Loading' }: { readonly lines?: number; readonly label?: string }) {
  return (
    <div className='loading' role='status' aria-label={label}>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}
