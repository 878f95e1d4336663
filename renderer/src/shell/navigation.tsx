// The way between screens, with what each has to say in a word or a number.
import { useLivePart } from '../live/use-live.tsx';
import { useHashPath } from './hash-location.ts';
import { SCREENS } from './screens.ts';
import './navigation.css';

export function Navigation() {
  const [path] = useHashPath();
  const alerts = useLivePart(({ now }) => now?.alerts.filter(({ snoozedUntilMs }) => snoozedUntilMs === null).length ?? 0);
  return (
    <nav className='navigation' aria-label='Screens'>
      <ul>
        {SCREENS.map((screen) => (
          <li key={screen.path}>
            <a
              href={`#${screen.path}`}
              aria-current={screen.path === path ? 'page' : undefined}
              aria-keyshortcuts={`g ${screen.key}`}
              title={`${screen.title} (g ${screen.key})`}
            >
              {screen.title}
              {screen.path === '/alerts' && alerts > 0 && (
                <strong className='navigation-count'>
                  <span className='sr-only'>, active: </span>
                  {alerts}
                </strong>
              )}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
