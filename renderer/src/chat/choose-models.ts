// Which models the next question goes to, of those that are installed. Pure.
import type { ModelStatus } from '../../../engine/contract.ts';

/** A model that writes text. */
export interface ChatModel {
  readonly id: string;
  readonly ready: boolean;
}

export const chatModels = (models: readonly ModelStatus[]): readonly ChatModel[] =>
  models.filter(({ use }) => use === 'text').map(({ id, state }) => ({ id, ready: state === 'ready' }));

/** Names that the router answers, by its own choice or within a tier. */
const ROUTES = ['auto', 'auto:fast', 'auto:balanced', 'auto:premium'] as const;

export const isRoute = (name: string): boolean => ROUTES.some((route) => route === name);

/** What can be asked: the models, then the names that are routed among them; nothing without models. */
export const withRoutes = (models: readonly ChatModel[]): readonly ChatModel[] =>
  models.length === 0 ? [] : [...models, ...ROUTES.map((id) => ({ id, ready: true }))];

/** What the conversation asked last where that is still installed, else one that is loaded, else any; empty without models. */
export function chooseModels(wanted: readonly string[], installed: readonly ChatModel[]): readonly string[] {
  const known = wanted.filter((id) => installed.some((model) => model.id === id));
  if (known.length > 0) return known;
  const any = installed.find(({ id, ready }) => ready && !isRoute(id)) ?? installed[0];
  return any === undefined ? [] : [any.id];
}
