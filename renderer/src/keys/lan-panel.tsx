// The switch that lets other machines in, what it does, and the addresses by which they come.
import type { LanStatus } from '../../../engine/contract.ts';
import { useChange, useRead } from '../api/queries.tsx';
import { Button, CopyButton } from '../parts/button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Facts } from '../parts/facts.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status } from '../parts/status.tsx';

export function LanPanel() {
  const { data, error, refetch } = useRead<LanStatus>('/api/lan');
  const change = useChange<LanStatus>(['/api/lan', '/api/audit']);
  if (data === undefined)
    return error === null ? null : <ErrorNote error={error} what='The LAN switch could not be read.' onRetry={() => void refetch()} />;
  const turn = (): void => change.mutate({ method: 'PUT', path: '/api/lan', body: { enabled: !data.enabled } });
  return (
    <Panel
      title='Local network'
      actions={
        <Button busy={change.isPending} onClick={turn}>
          {data.enabled ? 'Keep other machines out' : 'Let other machines in'}
        </Button>
      }
    >
      <Status tone={data.enabled ? 'ok' : 'idle'} word={data.enabled ? 'Open to the network' : 'This machine alone'} />
      <p className='quiet'>
        Open, the server asks every other machine for a key, answers by TLS with certificates of its own, and is announced by mDNS as{' '}
        {data.name}. It takes a key that is valid.
      </p>
      {data.enabled && <Reach lan={data} />}
      {change.error !== null && <ErrorNote error={change.error} what='The switch was not turned.' />}
    </Panel>
  );
}

function Reach({ lan: { url, addresses, fingerprint } }: { readonly lan: LanStatus }) {
  const address = (
    <span className='row'>
      <code className='wrap-anywhere'>{url}</code>
      <CopyButton text={url ?? ''} label='Address on the network' />
    </span>
  );
  return (
    <>
      <Facts
        facts={[
          ['Address', address],
          ['Without mDNS', addresses.join(', ')],
          ['Fingerprint', <code className='wrap-anywhere'>{fingerprint}</code>],
        ]}
      />
      <a href='/ca'>Page by which a device comes to trust it</a>
    </>
  );
}
