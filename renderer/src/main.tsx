// Starts the page.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './design/tokens.css';
import './design/base.css';
import './design/controls.css';

const root = document.querySelector('#root');
if (root === null) throw new Error('The page has no place to draw in. This is a bug.');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
