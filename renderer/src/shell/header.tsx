// The line at the top: name, machine, address, state, palette, theme.
import { formatUptime, plural } from '../format.ts';
import { useLive } from '../live/use-live.tsx';
import { Button, CopyButton } from '../parts/button.tsx';
import { Status } from '../parts/status.tsx';
import { describeEngine } from './sentence.ts';
import { useTheme } from './theme.tsx';
import './header.css';

export function Header({ openPalette }: { readonly openPalette: () => void }) {
  const live = useLive();
  const { tone, word } = describeEngine(live);
  const { now } = live;
  return (
    <header className='header'>
      <span className='header-name'>
        <strong>Millrace</strong>
        {now !== null && <span className='quiet ellipsis'> ▸ {now.hostName}</span>}
      </span>
      <Address address={now?.address ?? null} />
      <Status tone={tone} word={word} />
      {now !== null && (
        <span className='quiet header-facts'>
          {plural(now.models.length, 'model')} · v{now.version}, up {formatUptime(now.uptimeMs)}
        </span>
      )}
      <span className='row push'>
        <Button onClick={openPalette} aria-keyshortcuts='Meta+K Control+K' title='Actions and models'>
          <span aria-hidden='true'>⌘K</span>
          <span className='sr-only'>Open the command palette</span>
        </Button>
        <ThemeButton />
      </span>
    </header>
  );
}

/** The base URL that clients want. */
export const baseUrl = (address: string | null): string => `${address ?? location.origin}/v1`;

function Address({ address }: { readonly address: string | null }) {
  return (
    <span className='row header-address'>
      <code className='ellipsis'>{baseUrl(address)}</code>
      <CopyButton text={baseUrl(address)} label='Base URL for OpenAI clients' />
    </span>
  );
}

function ThemeButton() {
  const { theme, choose } = useTheme();
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <Button onClick={() => choose(other)} aria-label={`Use ${other} colours`} title={`Use ${other} colours`}>
      <span aria-hidden='true'>{theme === 'dark' ? '☀' : '☾'}</span>
    </Button>
  );
}
