// Colours code by its language. Loaded once there is code to colour.
import rehypeHighlight from 'rehype-highlight';
import type { Options } from 'react-markdown';

export const HIGHLIGHT: Options['rehypePlugins'] = [[rehypeHighlight, { detect: false }]];
