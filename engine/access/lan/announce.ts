// Announces the server on the local network by mDNS and DNS-SD (RFC 6762, 6763). The only import of @homebridge/ciao.
import { getResponder } from '@homebridge/ciao';

export interface Announcement {
  /** What people see in a list: `Millrace on box`. */
  readonly title: string;
  /** Host name without `.local`. */
  readonly name: string;
  readonly port: number;
  readonly version: string;
}

/** Announces a server; returns how to end that. Rejects when the network does not take it. */
export type Announce = (announcement: Announcement) => Promise<() => Promise<void>>;

export const announceByMdns: Announce = async ({ title, name, port, version }) => {
  const responder = getResponder();
  const service = responder.createService({
    name: title,
    hostname: name,
    type: 'https',
    port,
    txt: { path: '/', product: 'millrace', version },
  });
  await service.advertise();
  return async () => {
    await service.end();
    await responder.shutdown();
  };
};
