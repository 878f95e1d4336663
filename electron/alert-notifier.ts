// Owns which alerts a person has been told of: each one once, as a native notification, unless it is snoozed.
import type { ActiveAlert } from '../engine/contract.ts';

export interface NativeNotice {
  readonly title: string;
  readonly body: string;
}

export interface AlertNotifierOptions {
  readonly show: (notice: NativeNotice) => void;
  /** Whether the settings ask for desktop notifications; asked when there is something to tell. */
  readonly isWanted: () => Promise<boolean>;
}

export class AlertNotifier {
  readonly #options: AlertNotifierOptions;
  #told: ReadonlySet<string> = new Set();

  constructor(options: AlertNotifierOptions) {
    this.#options = options;
  }

  /** The alerts that fire now. Resolves when those that are new have been shown. */
  async see(alerts: readonly ActiveAlert[]): Promise<void> {
    const due = alerts.filter(({ snoozedUntilMs }) => snoozedUntilMs === null);
    const fresh = due.filter(({ id }) => !this.#told.has(id));
    // A snoozed alert is forgotten, so that it is told of again when its snooze ends.
    this.#told = new Set(due.map(({ id }) => id));
    if (fresh.length === 0 || !(await this.#options.isWanted())) return;
    for (const { name, sentence, remedy } of fresh) this.#options.show({ title: name, body: `${sentence} ${remedy}` });
  }
}

/** The setting of the engine; an engine that does not tell wants no notifications. */
export async function wantsNotifications(engineUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/api/settings', engineUrl), { redirect: 'error' });
    const settings = (await answer.json()) as { readonly alerts?: { readonly desktop?: boolean } };
    return answer.ok && settings.alerts?.desktop === true;
  } catch {
    return false;
  }
}
