// What can be done with an installed model, by buttons; each answers at once, and the live feed shows how it goes.
import { useState } from 'react';
import type { ModelStatus } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { call } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { useToast, type Toast } from '../parts/toast.tsx';

export interface ModelCommands {
  readonly load: (id: string) => Promise<void>;
  readonly unload: (id: string) => Promise<void>;
  readonly pin: (id: string, pinned: boolean) => Promise<void>;
  /** Gone from the list at once; it can be taken back for ten seconds. */
  readonly remove: (id: string) => Promise<void>;
}

export interface Hiding {
  readonly hide: (id: string) => void;
  readonly unhide: (id: string) => void;
}

const pathOf = (id: string): string => `/api/models/${encodeURIComponent(id)}`;

export function modelCommands(toast: (toast: Toast) => void, { hide, unhide }: Hiding): ModelCommands {
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      toast({ text: `${what}: ${describeError(error).message}`, tone: 'problem' });
      return false;
    }
  };
  const post = async (id: string, verb: string, what: string): Promise<void> => {
    await attempt(`${id} was not ${what}`, () => call(`${pathOf(id)}/${verb}`, { method: 'POST' }));
  };
  const restore = async (id: string): Promise<void> => {
    if (await attempt(`${id} could not be restored`, () => call(`${pathOf(id)}/restore`, { method: 'POST' }))) unhide(id);
  };
  return {
    load: (id) => post(id, 'load', 'loaded'),
    unload: (id) => post(id, 'unload', 'unloaded'),
    pin: (id, pinned) => post(id, pinned ? 'pin' : 'unpin', pinned ? 'pinned' : 'unpinned'),
    remove: async (id) => {
      hide(id);
      const removed = await attempt(`${id} was not deleted`, () => call(pathOf(id), { method: 'DELETE' }));
      if (removed) toast({ text: `${id} was deleted.`, undo: () => void restore(id) });
      else unhide(id);
    },
  };
}

export function useModelCommands(hiding: Hiding): ModelCommands {
  const toast = useToast();
  return modelCommands(toast, hiding);
}

export function ModelActions({ model, commands }: { readonly model: ModelStatus; readonly commands: ModelCommands }) {
  const [busy, setBusy] = useState(false);
  const { id, state, pinned } = model;
  const run = async (work: Promise<void>): Promise<void> => {
    setBusy(true);
    await work;
    setBusy(false);
  };
  const loaded = state === 'ready' || state === 'loading';
  const verb = state === 'failed' ? 'Load again' : 'Load';
  return (
    <span className='model-actions row'>
      {loaded ? (
        <Button busy={busy} aria-label={`Unload ${id}`} onClick={() => void run(commands.unload(id))}>
          Unload
        </Button>
      ) : (
        <Button busy={busy} aria-label={`${verb} ${id}`} onClick={() => void run(commands.load(id))}>
          {verb}
        </Button>
      )}
      <Button
        aria-label={`${pinned ? 'Unpin' : 'Pin'} ${id}`}
        title={pinned ? 'Let it be unloaded when idle' : 'Keep it loaded, also after a restart'}
        onClick={() => void commands.pin(id, !pinned)}
      >
        {pinned ? 'Unpin' : 'Pin'}
      </Button>
      <Button aria-label={`Delete ${id}`} onClick={() => void commands.remove(id)}>
        Delete
      </Button>
    </span>
  );
}
