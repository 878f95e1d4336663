// The command palette: screens, models and actions by name. Loaded when it is first opened.
import { Command } from 'cmdk';
import { useEffect, useRef } from 'react';
import type { ModelStatus } from '../../../engine/contract.ts';
import { useChange, type Change } from '../api/queries.tsx';
import { describeError } from '../api/api-error.ts';
import { useNow } from '../live/use-live.tsx';
import { copyText } from '../parts/copy-text.ts';
import { useToast } from '../parts/toast.tsx';
import { goTo } from './hash-location.ts';
import { baseUrl } from './header.tsx';
import { SCREENS } from './screens.ts';
import { useTheme } from './theme.tsx';
import './palette.css';

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly hint?: string;
  readonly run: () => void;
}

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const groups = useEntries();
  useEffect(() => dialog.current?.showModal(), []);
  const run = (entry: Entry): void => {
    dialog.current?.close();
    entry.run();
  };
  return (
    <dialog
      ref={dialog}
      className='palette'
      aria-label='Command palette'
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current.close()}
    >
      <Command label='Command palette' loop>
        <Command.Input autoFocus placeholder='Go to a screen, a model, or do something' />
        <Command.List>
          <Command.Empty>Nothing of that name.</Command.Empty>
          {groups.map(({ title, entries }) => (
            <Command.Group key={title} heading={title}>
              {entries.map((entry) => (
                <Command.Item key={entry.id} value={`${title} ${entry.title}`} onSelect={() => run(entry)}>
                  <span className='ellipsis'>{entry.title}</span>
                  {entry.hint !== undefined && <kbd>{entry.hint}</kbd>}
                </Command.Item>
              ))}
            </Command.Group>
          ))}
        </Command.List>
      </Command>
    </dialog>
  );
}

function useEntries(): readonly { readonly title: string; readonly entries: readonly Entry[] }[] {
  const now = useNow();
  const toast = useToast();
  const { choose } = useTheme();
  const change = useChange();
  const send = (title: string, request: Change): void => {
    // The palette is gone by the time of the answer: what follows must not hang on it.
    void change.mutateAsync(request).then(
      () => toast({ text: `${title}: done.` }),
      (error: unknown) => toast({ text: `${title}: ${describeError(error).message}`, tone: 'problem' }),
    );
  };
  const copyAddress = async (): Promise<void> => {
    const address = baseUrl(now?.address ?? null);
    if (await copyText(address)) toast({ text: `${address} is copied.` });
    else toast({ text: `This browser does not let a page copy: ${address}`, tone: 'problem' });
  };
  const screens = SCREENS.map(({ path, title, key }): Entry => ({ id: path, title, hint: `g ${key}`, run: () => goTo(path) }));
  const actions: Entry[] = [
    now?.state === 'paused'
      ? { id: 'resume', title: 'Resume serving', run: () => send('Resume serving', { method: 'POST', path: '/api/resume' }) }
      : { id: 'pause', title: 'Pause serving', run: () => send('Pause serving', { method: 'POST', path: '/api/pause' }) },
    { id: 'copy', title: 'Copy the base URL', run: () => void copyAddress() },
    { id: 'light', title: 'Use light colours', run: () => choose('light') },
    { id: 'dark', title: 'Use dark colours', run: () => choose('dark') },
    { id: 'system', title: 'Use the system’s colours', run: () => choose('system') },
    { id: 'docs', title: 'Open the API reference', run: () => void open('/docs/', '_blank', 'noopener') },
  ];
  return [
    { title: 'Screens', entries: screens },
    { title: 'Actions', entries: actions },
    { title: 'Models', entries: (now?.models ?? []).flatMap((model) => modelEntries(model, send)) },
  ];
}

function modelEntries({ id, state, use }: ModelStatus, send: (title: string, request: Change) => void): Entry[] {
  const post = (verb: 'load' | 'unload', title: string): Entry => ({
    id: `${verb} ${id}`,
    title,
    run: () => send(title, { method: 'POST', path: `/api/models/${encodeURIComponent(id)}/${verb}` }),
  });
  const model = encodeURIComponent(id);
  return [
    ...(use === 'text' ? [{ id: `chat ${id}`, title: `Chat with ${id}`, run: () => goTo(`/chat?model=${model}`) }] : []),
    { id: `history ${id}`, title: `History of ${id}`, run: () => goTo(`/history?model=${model}`) },
    state === 'ready' ? post('unload', `Unload ${id}`) : post('load', `Load ${id}`),
  ];
}
