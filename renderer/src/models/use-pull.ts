// Begins a download; what becomes of it is told by the live feed.
import { useState } from 'react';
import type { JobStatus } from '../../../engine/contract.ts';
import { call } from '../api/client.ts';
import { useToast } from '../parts/toast.tsx';

export type Precision = 'default' | 'int8' | 'int4' | 'fp16' | 'fp32';

export interface Pull {
  /** True when the engine has taken the job. */
  readonly pull: (name: string, precision: Precision) => Promise<boolean>;
  /** Why the last one was refused; null when it was not. */
  readonly error: unknown;
  readonly busy: boolean;
}

export function usePull(): Pull {
  const toast = useToast();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const pull = async (name: string, precision: Precision): Promise<boolean> => {
    setBusy(true);
    setError(null);
    const body = { name, precision: precision === 'default' ? null : precision };
    const outcome = await call<JobStatus>('/api/jobs/pull', { method: 'POST', body }).catch((fault: unknown) => {
      setError(fault ?? new Error('The download did not begin.'));
      return null;
    });
    setBusy(false);
    if (outcome !== null) toast({ text: `Getting ${outcome.title}. It goes on when you leave this screen.` });
    return outcome !== null;
  };
  return { pull, error, busy };
}
