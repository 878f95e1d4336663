// The one door to what the engine and the page share; each file under contract/ holds the shapes of one screen or resource.
// Types and lists of names; knows nothing about HTTP, SQLite, React or models' files.
export * from './contract/access.ts';
export * from './contract/alerts.ts';
export * from './contract/batches.ts';
export * from './contract/checklist.ts';
export type * from './contract/cost.ts';
export * from './contract/history.ts';
export type * from './contract/jobs.ts';
export * from './contract/loadtest.ts';
export type * from './contract/now.ts';
export * from './contract/routing.ts';
export type * from './contract/settings.ts';
export type * from './contract/status.ts';
export type * from './contract/variants.ts';
