// What a key means outside of the controls: `g` and a letter goes to a screen, `/` searches, ⌘K or Ctrl K opens the palette. Pure.
import { SCREENS, type ScreenPath } from './screens.ts';

export interface KeyPress {
  readonly key: string;
  /** ⌘ on a Mac, Ctrl elsewhere. */
  readonly command: boolean;
  readonly alt: boolean;
  /** The focus is in a control that takes text. */
  readonly typing: boolean;
  /** A modal dialog is open. */
  readonly modal: boolean;
}

export type KeyCommand =
  | { readonly kind: 'none' }
  | { readonly kind: 'palette' }
  | { readonly kind: 'search' }
  /** Leaves the control that has the focus. */
  | { readonly kind: 'leave' }
  /** Waits for the letter of a screen. */
  | { readonly kind: 'prefix' }
  | { readonly kind: 'go'; readonly path: ScreenPath };

const NONE: KeyCommand = { kind: 'none' };

/** `pending`: the key before this one was `g`, a moment ago. */
export function decideKey(press: KeyPress, pending: boolean): KeyCommand {
  if (press.command && press.key.toLowerCase() === 'k') return { kind: 'palette' };
  if (press.command || press.alt || press.modal) return NONE;
  if (press.key === 'Escape') return press.typing ? { kind: 'leave' } : NONE;
  if (press.typing) return NONE;
  if (pending) {
    const screen = SCREENS.find(({ key }) => key === press.key);
    if (screen !== undefined) return { kind: 'go', path: screen.path };
  }
  if (press.key === 'g') return { kind: 'prefix' };
  return press.key === '/' ? { kind: 'search' } : NONE;
}
