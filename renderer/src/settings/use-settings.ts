// The engine's settings for any screen: read once, changed by parts.
import type { Settings } from '../../../engine/contract.ts';
import { useChange, useRead } from '../api/queries.tsx';

/** A part of the settings, to any depth; lists are replaced whole. */
export type SettingsPatch = Patch<Settings>;
type Patch<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: Patch<T[K]> } : T;

export function useSettings() {
  const read = useRead<Settings>('/api/settings');
  const change = useChange<Settings>(['/api/settings', '/api/alerts', '/api/cost', '/api/slos', '/api/router', '/api/batches']);
  return {
    settings: read.data ?? null,
    error: read.data === undefined ? read.error : null,
    retry: () => void read.refetch(),
    saving: change.isPending,
    /** @throws ApiError naming the field that is wrong */
    save: (patch: SettingsPatch): Promise<Settings> => change.mutateAsync({ method: 'PUT', path: '/api/settings', body: patch }),
  };
}
