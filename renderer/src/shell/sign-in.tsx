// The way in from another machine: by a key, or by the code that the server's own screen shows.
import { useState, type FormEvent } from 'react';
import type { NewKey, SessionInfo } from '../../../engine/contract.ts';
import { call } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { TextField } from '../parts/field.tsx';
import { Panel } from '../parts/panel.tsx';

const CODE = /^\d{6}$/;

export function SignIn({ session }: { readonly session: SessionInfo }) {
  const [text, setText] = useState('');
  const [secret, setSecret] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const entered = text.trim();
      if (CODE.test(entered)) setSecret((await call<NewKey>('/api/pair', { method: 'POST', body: { code: entered } })).secret);
      else await signIn(entered);
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className='sign-in'>
      <h1>Millrace</h1>
      <Panel title='Sign in'>
        {session.tenant !== null && <p role='status'>The key of {session.tenant} may not use the console. Sign in with one that may.</p>}
        <form className='stack' onSubmit={(event) => void submit(event)}>
          <TextField
            label='API key or pairing code'
            kind='password'
            hint='Whoever runs the server makes keys and codes on its Keys screen.'
            value={text}
            onChange={setText}
          />
          {error !== null && <ErrorNote error={error} what='Not signed in.' />}
          <Button type='submit' kind='primary' busy={busy} disabled={text.trim() === ''}>
            Sign in
          </Button>
        </form>
        {secret !== null && <Paired secret={secret} />}
      </Panel>
    </main>
  );
}

function Paired({ secret }: { readonly secret: string }) {
  return (
    <div className='stack' role='status'>
      <p>This is the new key. Copy it now: it is never shown again.</p>
      <code className='wrap-anywhere'>{secret}</code>
      <p className='quiet'>Give it to your programs, or enter it above where it may use the console.</p>
    </div>
  );
}

/** The cookie is set by the answer; a page that begins anew asks everything with it. */
async function signIn(key: string): Promise<void> {
  await call<SessionInfo>('/api/session', { method: 'POST', body: { key } });
  location.reload();
}
