// Owns what the page may ask of the machine: to put text on the clipboard, as its copy buttons do. All else is denied.
import type { Session } from 'electron';
import { isOwnPage } from './navigation.ts';

const GRANTED: ReadonlySet<string> = new Set(['clipboard-sanitized-write']);

export function denyPermissions(session: Session): void {
  const grants = (permission: string, origin: string): boolean => GRANTED.has(permission) && isOwnPage(origin);
  session.setPermissionRequestHandler((contents, permission, answer) => answer(grants(permission, contents.getURL())));
  session.setPermissionCheckHandler((_contents, permission, origin) => grants(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.on('will-download', (event, item) => {
    // Exports of the app's own page go where the person says; nothing else is downloaded.
    if (!item.getURLChain().every((url) => isOwnPage(url) || url.startsWith('blob:app://millrace/'))) event.preventDefault();
  });
}
