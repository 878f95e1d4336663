// How a model's name in a request becomes a model of the host, or the refusal that lists those there are.
import { EngineError } from '../../errors.ts';
import type { HostedModel, ModelHost } from '../../fleet/host.ts';

const NAMES_LISTED = 20;

/** @throws EngineError `model_not_found` */
export function findModel(host: ModelHost, name: string): HostedModel {
  return host.get(name) ?? notFound(host, name);
}

function notFound(host: ModelHost, name: string): never {
  const installed = host.list().map((model) => model.manifest.id);
  const listed = `Installed: ${installed.slice(0, NAMES_LISTED).join(', ')}${installed.length > NAMES_LISTED ? ', …' : ''}.`;
  const remedy = installed.length === 0 ? '`millrace pull NAME` gets one.' : listed;
  throw new EngineError('model_not_found', `There is no model ${JSON.stringify(name)}. ${remedy}`, { param: 'model' });
}
