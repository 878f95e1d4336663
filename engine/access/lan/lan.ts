// Owns the LAN switch: TLS with an authority of this machine's own, the announcement by mDNS, and the file that remembers the switch.
// Knows HTTP only as something that listens with a certificate.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { LanStatus } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { announcedName, labelOf, reachableAddresses, serverNames } from './addresses.ts';
import type { Announce } from './announce.ts';
import type { Certified } from './certificates.ts';

/** A server that answers by TLS. */
export interface TlsListener {
  readonly port: number;
  /** From the next connection on. */
  setCertificate(certified: Certified): void;
  close(): Promise<void>;
}

export interface LanOptions {
  readonly dataDir: string;
  readonly log: Log;
  /** As the operating system tells it. */
  readonly systemName: string;
  readonly version: string;
  /** Addresses to listen on: `0.0.0.0` in earnest. */
  readonly host: string;
  readonly port: number;
  readonly listen: (address: { readonly host: string; readonly port: number }, certified: Certified) => Promise<TlsListener>;
  /** Null: the server is not announced. */
  readonly announce: Announce | null;
  readonly hasUsableKey: () => boolean;
  readonly now: () => number;
}

interface Open {
  readonly authority: Certified;
  readonly fingerprint: string;
  readonly listener: TlsListener;
  readonly watch: NodeJS.Timeout;
  readonly silence: () => Promise<void>;
}

/** Addresses come and go; the certificate follows. */
const WATCH_MS = 60_000;

export class Lan {
  readonly #options: LanOptions;
  #open: Open | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LanOptions) {
    this.#options = options;
  }

  /** Whether the switch was on when it was last turned. */
  get isWanted(): boolean {
    try {
      return readFileSync(this.#path, 'utf8').includes('"enabled":true');
    } catch {
      return false;
    }
  }

  get status(): LanStatus {
    const { systemName } = this.#options;
    const name = `${announcedName(systemName)}.local`;
    if (this.#open === null) return { enabled: false, name, url: null, addresses: [], fingerprint: null };
    const { listener, fingerprint } = this.#open;
    const addresses = reachableAddresses(networkInterfaces());
    return { enabled: true, name, url: `https://${name}:${listener.port}`, addresses, fingerprint };
  }

  /** Names by which requests may call this server while the switch is on. */
  get hostNames(): readonly string[] {
    return this.#open === null ? [] : serverNames(this.#options.systemName, []);
  }

  /** The authority's certificate in PEM; null before the switch was on. */
  get authorityCertificate(): string | null {
    return this.#open?.authority.certificate ?? null;
  }

  /** For this run. @throws EngineError `invalid_request` without a key, or for a port that is taken; `access_unavailable` */
  start(): Promise<LanStatus> {
    return this.#inTurn(async () => {
      this.#open ??= await this.#start();
    });
  }

  /** For this run and those to come. @throws EngineError as `start` does */
  turn(enabled: boolean): Promise<LanStatus> {
    return this.#inTurn(async () => {
      if (enabled) this.#open ??= await this.#start();
      else await this.#stop();
      await writeFile(this.#path, JSON.stringify({ enabled }), { mode: 0o600 });
    });
  }

  /** The switch stays as it is. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#stop();
  }

  get #path(): string {
    return join(this.#options.dataDir, 'lan.json');
  }

  #inTurn(change: () => Promise<void>): Promise<LanStatus> {
    const turned = this.#turn.then(change).then(() => this.status);
    this.#turn = turned.catch(() => undefined);
    return turned;
  }

  async #start(): Promise<Open> {
    const { dataDir, systemName, host, port, listen, hasUsableKey, now } = this.#options;
    if (!hasUsableKey())
      throw new EngineError('invalid_request', 'Other machines need an API key. Make one first: millrace key create --tenant NAME', {
        param: 'enabled',
      });
    // Loaded for those who turn the switch: it takes a tenth of a second.
    const { fingerprintOf, openAuthority } = await import('./authority.ts');
    const authority = await openAuthority(dataDir, labelOf(systemName), now());
    let names = this.#names();
    const listener = await listen({ host, port }, await this.#certificate(authority, names));
    const watch = setInterval(() => {
      if (this.#names().join() === names.join()) return;
      names = this.#names();
      void this.#certificate(authority, names).then(
        (certificate) => listener.setCertificate(certificate),
        (err: unknown) => this.#options.log.error({ err }, 'the certificate does not name the new addresses'),
      );
    }, WATCH_MS).unref();
    return { authority, fingerprint: fingerprintOf(authority), listener, watch, silence: await this.#announced(listener.port) };
  }

  #names(): readonly string[] {
    return serverNames(this.#options.systemName, reachableAddresses(networkInterfaces()));
  }

  async #certificate(authority: Certified, names: readonly string[]): Promise<Certified> {
    const { createServerCertificate } = await import('./certificates.ts');
    const { systemName, now } = this.#options;
    return createServerCertificate(authority, { hostName: labelOf(systemName), names }, now());
  }

  /** A network without multicast can still be used by address. */
  async #announced(port: number): Promise<() => Promise<void>> {
    const { announce, systemName, version, log } = this.#options;
    const nothing = async (): Promise<void> => undefined;
    if (announce === null) return nothing;
    const announcement = { title: `Millrace on ${labelOf(systemName)}`, name: announcedName(systemName), port, version };
    return announce(announcement).catch((err: unknown) => {
      log.warn({ err }, 'the server is not announced on the network; it answers by its addresses');
      return nothing;
    });
  }

  async #stop(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    clearInterval(open.watch);
    await open.silence().catch((err: unknown) => this.#options.log.warn({ err }, 'the announcement did not end well'));
    await open.listener.close();
  }
}
