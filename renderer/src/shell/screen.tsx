// One screen: its title and controls, then its panels.
import { useEffect, type ReactNode } from 'react';

export interface ScreenProps {
  readonly title: string;
  /** Controls at the title's end, such as a range of time. */
  readonly actions?: ReactNode;
  /** The title is for screen readers alone. */
  readonly hideTitle?: boolean;
  readonly children: ReactNode;
}

export function Screen({ title, actions, hideTitle = false, children }: ScreenProps) {
  useEffect(() => {
    document.title = `${title} – Millrace`;
  }, [title]);
  return (
    <div className='screen'>
      <div className={hideTitle ? 'sr-only' : 'screen-head'}>
        <h1>{title}</h1>
        {actions !== undefined && <span className='row push'>{actions}</span>}
      </div>
      {children}
    </div>
  );
}
