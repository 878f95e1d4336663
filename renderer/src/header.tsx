// The line at the top: name, address, state, links, theme.
import { useState } from 'react';
import type { EngineStatus } from '../../engine/contract.ts';
import { formatUptime } from './format.ts';
import type { Sentence } from './sentence.ts';
import { savedTheme, saveTheme, type Theme } from './theme.ts';

export function Header({ status, sentence }: { readonly status: EngineStatus | null; readonly sentence: Sentence }) {
  return (
    <header>
      <h1>Millrace</h1>
      <Address address={status?.address ?? null} />
      <span className={`state ${sentence.tone}`}>{sentence.word}</span>
      <span className='quiet uptime'>{status === null ? '' : `v${status.version}, up ${formatUptime(status.uptimeMs)}`}</span>
      <a href='/docs/'>API reference</a>
      <ThemeButton />
    </header>
  );
}

function Address({ address }: { readonly address: string | null }) {
  const [copied, setCopied] = useState(false);
  const base = `${address ?? location.origin}/v1`;
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(base);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <span className='address'>
      <code>{base}</code>
      <button type='button' onClick={() => void copy()} aria-label='Copy the base URL for OpenAI clients'>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </span>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(savedTheme);
  const other: Theme = theme === 'dark' ? 'light' : 'dark';
  const change = (): void => {
    saveTheme(other);
    setTheme(other);
  };
  return (
    <button type='button' onClick={change} aria-label={`Use ${other} colours`}>
      {theme === 'dark' ? 'Light' : 'Dark'}
    </button>
  );
}
