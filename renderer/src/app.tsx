// The whole page: what every screen shares, and which screen is shown where. Screens are loaded when they are first opened.
import { lazy } from 'react';
import { Redirect, Route, Router, Switch } from 'wouter';
import { ApiProvider } from './api/queries.tsx';
import { LiveProvider } from './live/use-live.tsx';
import { NowScreen } from './now/now-screen.tsx';
import { ToastProvider } from './parts/toast.tsx';
import { useHashPath, useHashSearch } from './shell/hash-location.ts';
import { Shell } from './shell/shell.tsx';
import { ThemeProvider } from './shell/theme.tsx';

const ModelsScreen = lazy(async () => ({ default: (await import('./models/models-screen.tsx')).ModelsScreen }));
const ChatScreen = lazy(async () => ({ default: (await import('./chat/chat-screen.tsx')).ChatScreen }));

export function App() {
  return (
    <ThemeProvider>
      <ApiProvider>
        <LiveProvider>
          <ToastProvider>
            <Router hook={useHashPath} searchHook={useHashSearch}>
              <Shell>
                <Screens />
              </Shell>
            </Router>
          </ToastProvider>
        </LiveProvider>
      </ApiProvider>
    </ThemeProvider>
  );
}

function Screens() {
  return (
    <Switch>
      <Route path='/now' component={NowScreen} />
      <Route path='/models' component={ModelsScreen} />
      <Route path='/chat' component={ChatScreen} />
      <Route>
        <Redirect to='/now' replace />
      </Route>
    </Switch>
  );
}
