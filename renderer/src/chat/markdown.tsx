// What a model wrote, as Markdown: code with a button to copy it, tables, links that leave the page safely. HTML in it is shown as
// text, and pictures as links, since a page that loads them would tell other machines what was said here.
import { memo, useEffect, useState, type ReactNode } from 'react';
import ReactMarkdown, { type Components, type ExtraProps, type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CopyButton } from '../parts/button.tsx';
import { splitBlocks } from './markdown-blocks.ts';
import './markdown.css';

export interface MarkdownProps {
  readonly text: string;
  /** More will come. */
  readonly growing: boolean;
}

export const Markdown = memo(function Markdown({ text, growing }: MarkdownProps) {
  const highlight = useHighlight(/`{3}|~{3}/.test(text));
  const blocks = growing ? splitBlocks(text) : [text];
  return (
    <div className='markdown'>
      {blocks.map((block, index) => (
        <Block key={index} text={block} plugins={growing && index === blocks.length - 1 ? NONE : highlight} />
      ))}
    </div>
  );
});

type Plugins = Options['rehypePlugins'];
const NONE: Plugins = [];

/** Nothing until the code that colours has come. */
function useHighlight(needed: boolean): Plugins {
  const [plugins, setPlugins] = useState<Plugins>(NONE);
  useEffect(() => {
    if (!needed) return;
    let left = false;
    // Without the colours the code is as readable as before; a reload asks again.
    void import('./highlight.ts').then(
      ({ HIGHLIGHT }) => left || setPlugins(HIGHLIGHT),
      () => undefined,
    );
    return () => {
      left = true;
    };
  }, [needed]);
  return plugins;
}

const Block = memo(function Block({ text, plugins }: { readonly text: string; readonly plugins: Plugins }) {
  return (
    <ReactMarkdown remarkPlugins={[remarkGfm]} rehypePlugins={plugins ?? null} components={COMPONENTS} urlTransform={safeUrl}>
      {text}
    </ReactMarkdown>
  );
});

/** Whole addresses of the web and of mail alone: a relative one would point into this page. */
export function safeUrl(url: string): string | undefined {
  return /^(?:https?:\/\/|mailto:)/i.test(url) ? url : undefined;
}

function Link({ href, children }: { readonly href?: string | undefined; readonly children?: ReactNode }) {
  if (href === undefined) return <span>{children}</span>;
  return (
    <a href={href} target='_blank' rel='noopener noreferrer' title={href}>
      {children}
    </a>
  );
}

function Picture({ src, alt }: { readonly src?: unknown; readonly alt?: string | undefined }) {
  return <Link href={typeof src === 'string' ? src : undefined}>[picture: {alt || 'no description'}]</Link>;
}

function CodeBlock({ node, children }: { readonly children?: ReactNode } & ExtraProps) {
  const code = node?.children.find((child) => child.type === 'element');
  const language = /language-(\S+)/.exec(String(code?.properties['className'] ?? ''))?.[1]?.replace(/,.*$/, '');
  return (
    <div className='code-block'>
      <div className='code-head'>
        <span className='quiet small'>{language ?? 'text'}</span>
        <CopyButton text={textOf(code).replace(/\n$/, '')} label='Code' />
      </div>
      <pre tabIndex={0} role='group' aria-label={`Code, ${language ?? 'text'}`}>
        {children}
      </pre>
    </div>
  );
}

interface TextNode {
  readonly type: string;
  readonly value?: string;
  readonly children?: readonly TextNode[];
}

function textOf(node: TextNode | undefined): string {
  return node?.value ?? node?.children?.map(textOf).join('') ?? '';
}

/** Headings begin below those of the page. */
const COMPONENTS: Components = {
  a: Link,
  img: Picture,
  pre: CodeBlock,
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  h4: 'h6',
  h5: 'h6',
  table: ({ children }) => (
    <div className='table-scroll' tabIndex={0} role='group' aria-label='Table'>
      <table>{children}</table>
    </div>
  ),
};
