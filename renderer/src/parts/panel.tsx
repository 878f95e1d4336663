// A bordered region with a heading.
import { useId, type ReactNode } from 'react';
import './panel.css';

export interface PanelProps {
  readonly title: string;
  /** Controls at the heading's end. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

export function Panel({ title, actions, children, className = '' }: PanelProps) {
  const id = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <div className='panel-head'>
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <span className='row push'>{actions}</span>}
      </div>
      {children}
    </section>
  );
}
