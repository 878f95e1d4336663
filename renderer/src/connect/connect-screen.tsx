// How to use the server from elsewhere: its address, snippets to copy, and what there is of keys.
import { useState } from 'react';
import { useNow } from '../live/use-live.tsx';
import { CopyButton } from '../parts/button.tsx';
import { Panel } from '../parts/panel.tsx';
import { Select } from '../parts/select.tsx';
import { baseUrl } from '../shell/header.tsx';
import { Screen } from '../shell/screen.tsx';
import { snippetsFor, type Snippet } from './snippets.ts';
import './connect.css';

export function ConnectScreen() {
  const now = useNow();
  const [chosen, setChosen] = useState<string | null>(null);
  const models = (now?.models ?? []).filter(({ use }) => use === 'text').map(({ id }) => id);
  const model = chosen ?? models[0] ?? 'smollm2-135m-instruct';
  const base = baseUrl(now?.address ?? null);
  return (
    <Screen title='API' actions={<a href='/docs/'>API reference</a>}>
      <Panel title='Address'>
        <p>Any program that speaks the OpenAI API can use this server: give it this base URL.</p>
        <div className='row'>
          <code className='connect-address wrap-anywhere'>{base}</code>
          <CopyButton text={base} label='Base URL' />
        </div>
      </Panel>
      <Keys />
      <Panel
        title='Snippets'
        actions={
          <Select
            label='Model of the snippets'
            hideLabel
            value={model}
            options={[...new Set([model, ...models])].map((value) => ({ value, label: value }))}
            onChange={setChosen}
          />
        }
      >
        {models.length === 0 && (
          <p className='quiet'>No text model is installed yet; these use the name of a small one that you can get on the Models screen.</p>
        )}
        <div className='connect-snippets'>
          {snippetsFor(base, model).map((snippet) => (
            <SnippetBox key={snippet.name} snippet={snippet} />
          ))}
        </div>
      </Panel>
    </Screen>
  );
}

function Keys() {
  return (
    <Panel title='Keys'>
      <p>
        Programs on this machine need no key; any text will do where a client insists on one. Other machines need one of the{' '}
        <a href='#/keys'>Keys</a> screen, where the server is also opened to the network.
      </p>
    </Panel>
  );
}

function SnippetBox({ snippet: { name, note, text } }: { readonly snippet: Snippet }) {
  return (
    <section className='connect-snippet' aria-label={name}>
      <div className='row'>
        <h3>{name}</h3>
        <span className='push'>
          <CopyButton text={text} label={`${name} snippet`} />
        </span>
      </div>
      <p className='quiet small'>{note}</p>
      <pre tabIndex={0} aria-label={`${name} snippet`}>
        <code>{text}</code>
      </pre>
    </section>
  );
}
