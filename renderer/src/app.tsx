// The whole page: what every screen shares, and which screen is shown where. Screens are loaded when they are first opened.
import { lazy } from 'react';
import { Redirect, Route, Router, Switch } from 'wouter';
import { ApiProvider } from './api/queries.tsx';
import { LiveProvider } from './live/use-live.tsx';
import { NowScreen } from './now/now-screen.tsx';
import { ToastProvider } from './parts/toast.tsx';
import { AlertNotices } from './shell/alert-notices.tsx';
import { useHashPath, useHashSearch } from './shell/hash-location.ts';
import { SessionGate } from './shell/session-gate.tsx';
import { Shell } from './shell/shell.tsx';
import { ThemeProvider } from './shell/theme.tsx';

const ModelsScreen = lazy(async () => ({ default: (await import('./models/models-screen.tsx')).ModelsScreen }));
const LabScreen = lazy(async () => ({ default: (await import('./lab/lab-screen.tsx')).LabScreen }));
const ChatScreen = lazy(async () => ({ default: (await import('./chat/chat-screen.tsx')).ChatScreen }));
const RouterScreen = lazy(async () => ({ default: (await import('./router/router-screen.tsx')).RouterScreen }));
const BatchesScreen = lazy(async () => ({ default: (await import('./batches/batches-screen.tsx')).BatchesScreen }));
const KeysScreen = lazy(async () => ({ default: (await import('./keys/keys-screen.tsx')).KeysScreen }));
const HistoryScreen = lazy(async () => ({ default: (await import('./history/history-screen.tsx')).HistoryScreen }));
const CostScreen = lazy(async () => ({ default: (await import('./cost/cost-screen.tsx')).CostScreen }));
const ChecklistScreen = lazy(async () => ({ default: (await import('./checklist/checklist-screen.tsx')).ChecklistScreen }));
const LoadTestScreen = lazy(async () => ({ default: (await import('./loadtest/loadtest-screen.tsx')).LoadTestScreen }));
const AlertsScreen = lazy(async () => ({ default: (await import('./alerts/alerts-screen.tsx')).AlertsScreen }));
const ConnectScreen = lazy(async () => ({ default: (await import('./connect/connect-screen.tsx')).ConnectScreen }));
const SettingsScreen = lazy(async () => ({ default: (await import('./settings/settings-screen.tsx')).SettingsScreen }));

export function App() {
  return (
    <ThemeProvider>
      <ApiProvider>
        <SessionGate>
          <LiveProvider>
            <ToastProvider>
              <Router hook={useHashPath} searchHook={useHashSearch}>
                <AlertNotices />
                <Shell>
                  <Screens />
                </Shell>
              </Router>
            </ToastProvider>
          </LiveProvider>
        </SessionGate>
      </ApiProvider>
    </ThemeProvider>
  );
}

function Screens() {
  return (
    <Switch>
      <Route path='/now'>
        <NowScreen />
      </Route>
      <Route path='/models'>
        <ModelsScreen />
      </Route>
      <Route path='/lab'>
        <LabScreen />
      </Route>
      <Route path='/chat'>
        <ChatScreen />
      </Route>
      <Route path='/router'>
        <RouterScreen />
      </Route>
      <Route path='/batches'>
        <BatchesScreen />
      </Route>
      <Route path='/keys'>
        <KeysScreen />
      </Route>
      <Route path='/history'>
        <HistoryScreen />
      </Route>
      <Route path='/cost'>
        <CostScreen />
      </Route>
      <Route path='/checklist'>
        <ChecklistScreen />
      </Route>
      <Route path='/loadtest'>
        <LoadTestScreen />
      </Route>
      <Route path='/alerts'>
        <AlertsScreen />
      </Route>
      <Route path='/api'>
        <ConnectScreen />
      </Route>
      <Route path='/settings'>
        <SettingsScreen />
      </Route>
      <Route>
        <Redirect to='/now' replace />
      </Route>
    </Switch>
  );
}
