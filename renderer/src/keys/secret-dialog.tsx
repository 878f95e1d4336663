// A new key's secret, the only time that it is shown.
import type { NewKey } from '../../../engine/contract.ts';
import { CopyButton } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';

export function SecretDialog({ made: { key, secret }, onClose }: { readonly made: NewKey; readonly onClose: () => void }) {
  return (
    <Dialog title={`Key of ${key.tenant}`} open onClose={onClose}>
      <p>Copy it now: it is kept as a hash and never shown again.</p>
      <div className='row'>
        <code className='wrap-anywhere'>{secret}</code>
        <CopyButton text={secret} label='API key' />
      </div>
    </Dialog>
  );
}
