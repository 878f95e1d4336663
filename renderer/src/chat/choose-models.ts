// Which models the next question goes to, of those that are installed. Pure.
import type { ModelStatus } from '../../../engine/contract.ts';

/** A model that writes text. */
export interface ChatModel {
  readonly id: string;
  readonly ready: boolean;
}

export const chatModels = (models: readonly ModelStatus[]): readonly ChatModel[] =>
  models.filter(({ use }) => use === 'text').map(({ id, state }) => ({ id, ready: state === 'ready' }));

/** What the conversation asked last where that is still installed, else one that is loaded, else any; empty without models. */
export function chooseModels(wanted: readonly string[], installed: readonly ChatModel[]): readonly string[] {
  const known = wanted.filter((id) => installed.some((model) => model.id === id));
  if (known.length > 0) return known;
  const any = installed.find(({ ready }) => ready) ?? installed[0];
  return any === undefined ? [] : [any.id];
}
