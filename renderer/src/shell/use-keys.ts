// Listens to the keyboard for the whole page and does what key-commands.ts decides.
import { useEffect } from 'react';
import { goTo } from './hash-location.ts';
import { decideKey, type KeyCommand, type KeyPress } from './key-commands.ts';

/** How long `g` waits for its letter. */
const PREFIX_MS = 1_500;

export function useKeys(openPalette: () => void): void {
  useEffect(() => {
    let prefixAtMs = -Infinity;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const command = decideKey(toPress(event), event.timeStamp - prefixAtMs < PREFIX_MS);
      prefixAtMs = command.kind === 'prefix' ? event.timeStamp : -Infinity;
      if (perform(command, openPalette)) event.preventDefault();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [openPalette]);
}

function toPress(event: KeyboardEvent): KeyPress {
  const target = event.target instanceof HTMLElement ? event.target : null;
  return {
    key: event.key,
    command: event.metaKey || event.ctrlKey,
    alt: event.altKey,
    typing: target !== null && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)),
    modal: document.querySelector('dialog:modal') !== null,
  };
}

/** True when the key was for us. */
function perform(command: KeyCommand, openPalette: () => void): boolean {
  if (command.kind === 'palette') openPalette();
  else if (command.kind === 'go') goTo(command.path);
  else if (command.kind === 'leave') blurActive();
  else if (command.kind === 'search') return focusSearch(openPalette);
  return command.kind !== 'none' && command.kind !== 'prefix';
}

/** The screen's own search box (`type=search`), else the palette. */
function focusSearch(openPalette: () => void): boolean {
  const box = document.querySelector<HTMLInputElement>('main input[type=search]');
  if (box === null) openPalette();
  else box.focus();
  return true;
}

function blurActive(): void {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}
