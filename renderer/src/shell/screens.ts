// The screens by name: where each is, and the key that leads to it after `g`.

export const SCREENS = [
  { path: '/now', title: 'Now', key: 'n' },
  { path: '/models', title: 'Models', key: 'm' },
  { path: '/lab', title: 'Lab', key: 'l' },
  { path: '/chat', title: 'Chat', key: 'c' },
  { path: '/router', title: 'Router', key: 'r' },
  { path: '/batches', title: 'Batches', key: 'b' },
  { path: '/history', title: 'History', key: 'h' },
  { path: '/cost', title: 'Cost', key: 'o' },
  { path: '/loadtest', title: 'Load test', key: 't' },
  { path: '/checklist', title: 'Checklist', key: 'k' },
  { path: '/alerts', title: 'Alerts', key: 'a' },
  { path: '/api', title: 'API', key: 'p' },
  { path: '/keys', title: 'Keys', key: 'y' },
  { path: '/settings', title: 'Settings', key: 's' },
] as const;

export type ScreenPath = (typeof SCREENS)[number]['path'];
