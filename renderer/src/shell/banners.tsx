// What is wrong with the server itself, on every screen until it ends; and that the connection is lost.
import type { Banner } from '../../../engine/contract.ts';
import { useLivePart } from '../live/use-live.tsx';
import { Button, CopyButton } from '../parts/button.tsx';
import { Status } from '../parts/status.tsx';
import { desktopShell, useEngineProcess } from './desktop.ts';
import './banners.css';

const NONE: readonly Banner[] = [];

export function Banners() {
  const banners = useLivePart(({ now }) => now?.banners ?? NONE);
  const lost = useLivePart(({ connection }) => connection === 'lost');
  return (
    <div className='banners' role='status' aria-label='Warnings of the server'>
      {lost && <Lost />}
      {banners.map(({ id, tone, text, detail }) => (
        <div key={id} className={`banner ${tone}`}>
          <Status tone={tone} word={tone === 'problem' ? 'Problem' : 'Warning'} />
          <span className='wrap-anywhere'>{text}</span>
          {detail !== null && <CopyButton text={detail} label='Detail of the warning' />}
        </div>
      ))}
    </div>
  );
}

const LOST = 'What you see is the last that is known; the page asks again every second and fills the plots when the engine is back.';

/** In the desktop app it says why the engine has ended, and starts it at once. */
function Lost() {
  const engine = useEngineProcess();
  const ended = engine?.kind === 'waiting' ? `${engine.reason} ` : '';
  const canStart = engine?.kind === 'waiting' || engine?.kind === 'stopped';
  return (
    <div className='banner problem'>
      <Status tone='problem' word='Connection lost' />
      <span className='wrap-anywhere'>
        {ended}
        {engine?.kind === 'starting' ? 'The engine is starting.' : LOST}
      </span>
      {canStart && <Button onClick={() => void desktopShell()?.restartEngine()}>Restart the engine</Button>}
    </div>
  );
}
