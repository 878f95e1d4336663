// Loaded first in a forked Node: gives it what Electron gives a utility process, over Node's own channel.
// https://www.electronjs.org/docs/latest/api/parent-port
import { EventEmitter } from 'node:events';

const ports = new Map();

class Port extends EventEmitter {
  #id;
  #held = [];
  constructor(id) {
    super();
    this.#id = id;
  }
  postMessage(data) {
    process.send({ kind: 'port', id: this.#id, data });
  }
  start() {
    for (const data of this.#held ?? []) this.emit('message', { data });
    this.#held = null;
  }
  close() {
    process.send({ kind: 'close', id: this.#id });
  }
  receive(data) {
    if (this.#held === null) this.emit('message', { data });
    else this.#held.push(data);
  }
}

const parentPort = new EventEmitter();
parentPort.postMessage = (data) => process.send({ kind: 'parent', data });
process.parentPort = parentPort;
process.on('message', ({ kind, id, data, portIds }) => {
  if (kind === 'port') return ports.get(id)?.receive(data);
  if (kind === 'closed') return ports.get(id)?.emit('close');
  for (const portId of portIds) ports.set(portId, new Port(portId));
  parentPort.emit('message', { data, ports: portIds.map((portId) => ports.get(portId)) });
});
