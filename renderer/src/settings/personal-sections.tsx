// What concerns this browser and where alerts go: colours, notifications, the webhook.
import { useState } from 'react';
import type { AlertSettings, WebhookTest as WebhookResult } from '../../../engine/contract.ts';
import { Button } from '../parts/button.tsx';
import { Check, TextField } from '../parts/field.tsx';
import { Panel } from '../parts/panel.tsx';
import { Choice } from '../parts/select.tsx';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { useToast } from '../parts/toast.tsx';
import { useTheme } from '../shell/theme.tsx';
import { Section } from './section.tsx';
import type { SettingsPatch } from './use-settings.ts';

const THEMES = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
] as const;

export function AppearanceSection() {
  const { choice, choose } = useTheme();
  return (
    <Panel title='Colours' className='settings-section'>
      <span>
        <Choice label='Colours' value={choice} options={THEMES} onChange={choose} />
      </span>
      <p className='quiet'>Kept in this browser.</p>
    </Panel>
  );
}

export interface NotificationSectionProps {
  readonly alerts: AlertSettings;
  readonly save: (patch: SettingsPatch) => Promise<unknown>;
}

type Delivery = Pick<AlertSettings, 'desktop' | 'webhookUrl' | 'webhookSecret'>;

export function NotificationSection({ alerts: { desktop, webhookUrl, webhookSecret }, save }: NotificationSectionProps) {
  const value: Delivery = { desktop, webhookUrl, webhookSecret };
  return (
    <Section
      title='Where alerts go'
      hint='Alerts are always in the log and on the Alerts screen.'
      value={value}
      save={save}
      toPatch={(draft) => ({ alerts: draft })}
    >
      {({ draft, set, error }) => (
        <>
          <div className='row'>
            <Check label='Desktop notifications' checked={draft.desktop} onChange={(checked) => set({ desktop: checked })} />
            <PermissionButton />
          </div>
          <div className='settings-grid'>
            <TextField
              label='Webhook'
              kind='url'
              placeholder='https://…'
              hint='Gets a signed POST for each alert. Empty: none.'
              value={draft.webhookUrl ?? ''}
              error={error('webhookUrl')}
              onChange={(text) => set({ webhookUrl: text === '' ? null : text })}
            />
            <TextField
              label='Secret that signs it'
              kind='password'
              placeholder='none'
              hint={webhookSecret === null ? 'HMAC-SHA256.' : 'One is set; it is never shown again.'}
              value={draft.webhookSecret ?? ''}
              error={error('webhookSecret')}
              onChange={(text) => set({ webhookSecret: text === '' ? null : text })}
            />
          </div>
          {webhookUrl !== null && <WebhookTest />}
        </>
      )}
    </Section>
  );
}

/** Tries the webhook as it is stored, not as it is being typed. */
function WebhookTest() {
  const toast = useToast();
  const change = useChange<WebhookResult>();
  const send = (): void =>
    change.mutate(
      { method: 'POST', path: '/api/alerts/test-webhook' },
      {
        onSuccess: (result) =>
          result.kind === 'delivered'
            ? toast({ text: `The webhook took the test (status ${result.status}).` })
            : toast({ text: `The webhook did not take the test: ${result.reason}.`, tone: 'problem' }),
        onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }),
      },
    );
  return (
    <span>
      <Button busy={change.isPending} onClick={send}>
        Send a test
      </Button>
    </span>
  );
}

/** The browser asks its user once; after a no, only its own settings can change that. */
export function PermissionButton() {
  const [permission, setPermission] = useState(() => ('Notification' in window ? Notification.permission : 'unavailable'));
  const ask = async (): Promise<void> => setPermission(await Notification.requestPermission());
  if (permission === 'default') return <Button onClick={() => void ask()}>Allow notifications in this browser</Button>;
  const words = {
    granted: 'This browser may show notifications.',
    denied: 'This browser forbids notifications: allow them in its settings for this address.',
  };
  return (
    <span className='quiet'>
      {permission === 'granted' || permission === 'denied' ? words[permission] : 'This browser has no notifications.'}
    </span>
  );
}
