// The chat screen.
import { ChatPanel } from '../chat-panel.tsx';
import { useNow } from '../live/use-live.tsx';
import { Screen } from '../shell/screen.tsx';

export function ChatScreen() {
  const now = useNow();
  return (
    <Screen title='Chat'>
      <ChatPanel models={now?.models ?? []} />
    </Screen>
  );
}
