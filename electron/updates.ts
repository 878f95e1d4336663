// Owns the question whether there is a newer version. It is asked only where a feed has been configured, and nothing is installed:
// the person is told, and opens the page of the release.
export interface Update {
  readonly version: string;
  /** Where to get it. */
  readonly url: string;
}

/** What the feed answers: `{ "version": "1.2.3", "url": "https://…" }`. */
const VERSION = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$/;

/** The feed's address from the environment; null: updates are not looked for. Only https is taken. */
export function updateFeed(env: NodeJS.ProcessEnv): string | null {
  const url = URL.parse(env.MILLRACE_UPDATE_FEED ?? '');
  return url?.protocol === 'https:' ? url.href : null;
}

/** The newer version that the feed tells of; null when there is none, or the feed does not answer as it should. */
export async function findUpdate(feed: string, current: string, get: typeof fetch = fetch): Promise<Update | null> {
  try {
    const answer = await get(feed, { redirect: 'error', signal: AbortSignal.timeout(10_000) });
    return answer.ok ? readUpdate(await answer.json(), current) : null;
  } catch {
    // No network, or no such feed: asked again tomorrow.
    return null;
  }
}

/** What an answer says; null for anything but a newer version with an https address. */
export function readUpdate(answer: unknown, current: string): Update | null {
  if (typeof answer !== 'object' || answer === null || !('version' in answer) || !('url' in answer)) return null;
  const { version, url } = answer;
  if (typeof version !== 'string' || typeof url !== 'string' || URL.parse(url)?.protocol !== 'https:') return null;
  return isNewer(version, current) ? { version, url } : null;
}

function isNewer(version: string, current: string): boolean {
  const [a, b] = [VERSION.exec(version), VERSION.exec(current)];
  if (a === null || b === null) return false;
  for (const part of [1, 2, 3]) {
    const difference = Number(a[part]) - Number(b[part]);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
