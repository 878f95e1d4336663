// The whole page: header, one sentence, models, chat.
import { ChatPanel } from './chat-panel.tsx';
import { Header } from './header.tsx';
import { Models } from './models.tsx';
import { describeEngine } from './sentence.ts';
import { useStatus } from './use-status.ts';

export function App() {
  const { status, lost } = useStatus();
  const sentence = describeEngine(status, lost);
  return (
    <>
      <Header status={status} sentence={sentence} />
      <main>
        <p className={`sentence ${sentence.tone}`} role='status'>
          {sentence.text}
        </p>
        <div className='columns'>
          <Models models={status?.models ?? null} />
          <ChatPanel models={status?.models ?? []} />
        </div>
      </main>
    </>
  );
}
