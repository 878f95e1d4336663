// Asks the engine to make, measure, promote and go back; what it answers is the table that is shown next.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { JobStatus, ModelVariants } from '../../../engine/contract.ts';
import { call, type CallOptions } from '../api/client.ts';
import { useToast } from '../parts/toast.tsx';

export type LabPrecision = 'int8' | 'int4' | 'fp32';

export interface Lab {
  readonly quantise: (precision: LabPrecision, anew: boolean) => Promise<void>;
  readonly measure: (variant: string) => Promise<void>;
  readonly promote: (variant: string) => Promise<void>;
  readonly rollBack: () => Promise<void>;
  /** Null removes it. */
  readonly setText: (text: string | null) => Promise<void>;
  readonly busy: boolean;
  /** Why the last wish was refused; null when it was not. */
  readonly error: unknown;
}

const pathOf = (model: string, what: string): string => `/api/models/${encodeURIComponent(model)}/${what}`;

export const variantsPath = (model: string): string => pathOf(model, 'variants');

export function useLab(model: string): Lab {
  const client = useQueryClient();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const ask = async <T>(path: string, options: CallOptions, done: (answer: T) => void): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      done(await call<T>(path, options));
    } catch (fault) {
      setError(fault ?? new Error('The engine did not answer.'));
    }
    setBusy(false);
  };
  const begin = (path: string, body: unknown): Promise<void> =>
    ask<JobStatus>(path, { method: 'POST', body }, ({ title }) =>
      toast({ text: `${title} has begun. It goes on when you leave this screen.` }),
    );
  const change = (what: string, options: CallOptions, words: (table: ModelVariants) => string): Promise<void> =>
    ask<ModelVariants>(pathOf(model, what), options, (table) => {
      client.setQueryData([variantsPath(model), variantsPath(model)], table);
      toast({ text: words(table) });
    });
  return {
    quantise: (precision, anew) => begin('/api/jobs/quantise', { model, precision, anew }),
    measure: (variant) => begin('/api/jobs/evaluate', { model, variant }),
    promote: (variant) =>
      change('promote', { method: 'POST', body: { variant } }, (table) => `${model} answers with ${table.defaultVariant} now.`),
    rollBack: () => change('rollback', { method: 'POST' }, (table) => `${model} answers with ${table.defaultVariant} again.`),
    setText: (text) =>
      change('text', { method: 'PUT', body: { text } }, ({ hasOwnText }) =>
        hasOwnText ? 'Variants are measured on your text too, the next time.' : 'Your text was removed.',
      ),
    busy,
    error,
  };
}
