// Whose files and batches a request means: its tenant's, and for those who steer the server every one.
import type { FastifyRequest } from 'fastify';
import { LOCAL } from '../../access/caller.ts';
import type { Owner } from '../../jobs/batches/batch-control.ts';

export function ownerOf({ caller }: Pick<FastifyRequest, 'caller'>): Owner {
  const { tenant, key } = caller ?? LOCAL;
  return { tenant, keyId: key?.id ?? null, seesAll: key === null || key.scopes.admin };
}
