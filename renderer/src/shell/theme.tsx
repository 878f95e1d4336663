// Owns the choice of colours: the system's, until the reader picks one, which the browser then keeps.
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

export type ThemeChoice = 'system' | 'light' | 'dark';

export interface ThemeState {
  readonly choice: ThemeChoice;
  /** What is drawn. */
  readonly theme: 'light' | 'dark';
  readonly choose: (choice: ThemeChoice) => void;
}

const KEY = 'millrace-theme';
const ThemeContext = createContext<ThemeState>({ choice: 'system', theme: 'light', choose: () => undefined });

export const useTheme = (): ThemeState => useContext(ThemeContext);

function savedChoice(): ThemeChoice {
  const saved = localStorage.getItem(KEY);
  return saved === 'light' || saved === 'dark' ? saved : 'system';
}

const systemDark = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

export function ThemeProvider({ children }: { readonly children: ReactNode }) {
  const [choice, setChoice] = useState(savedChoice);
  const [dark, setDark] = useState(() => systemDark().matches);
  useEffect(() => {
    const query = systemDark();
    const follow = (): void => setDark(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  const systemTheme = dark ? 'dark' : 'light';
  const theme = choice === 'system' ? systemTheme : choice;
  // Before the children draw: plots read their colours from it.
  document.documentElement.dataset['theme'] = theme;
  const state = useMemo<ThemeState>(() => ({ choice, theme, choose: (next) => (save(next), setChoice(next)) }), [choice, theme]);
  return <ThemeContext value={state}>{children}</ThemeContext>;
}

function save(choice: ThemeChoice): void {
  if (choice === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, choice);
}
