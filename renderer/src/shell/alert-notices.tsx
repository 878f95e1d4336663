// Desktop notifications from the browser: one for each alert that begins while the page is open, where the user allows them.
import { useEffect, useRef } from 'react';
import type { ActiveAlert } from '../../../engine/contract.ts';
import { useLivePart } from '../live/use-live.tsx';
import { useSettings } from '../settings/use-settings.ts';
import { goTo } from './hash-location.ts';

export function AlertNotices() {
  const alerts = useLivePart(({ now }) => now?.alerts ?? null);
  const { settings } = useSettings();
  const wanted = settings?.alerts.desktop === true;
  // Those that were active before are not announced again after each snapshot, nor after a reload of the settings.
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (alerts === null) return;
    const before = known.current;
    known.current = new Set(alerts.map(({ id }) => id));
    if (before !== null && wanted) for (const alert of freshAlerts(alerts, before)) notify(alert);
  }, [alerts, wanted]);
  return null;
}

/** Alerts that were not known before and are not snoozed. */
export const freshAlerts = (alerts: readonly ActiveAlert[], known: ReadonlySet<string>): readonly ActiveAlert[] =>
  alerts.filter(({ id, snoozedUntilMs }) => snoozedUntilMs === null && !known.has(id));

function notify({ id, name, sentence, remedy }: ActiveAlert): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  const notice = new Notification(name, { body: `${sentence} ${remedy}`, tag: id });
  notice.addEventListener('click', () => {
    window.focus();
    goTo('/alerts');
  });
}
