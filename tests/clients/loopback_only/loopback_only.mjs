// Node.js loads this module at its start: connections beyond this machine are recorded and refused.
import { appendFileSync } from "node:fs";
import net from "node:net";

const LOOPBACK = ["127.0.0.1", "::1", "localhost", undefined];
const { connect } = net.Socket.prototype;

net.Socket.prototype.connect = function (...options) {
  const [first] = Array.isArray(options[0]) ? options[0] : options;
  const host = typeof first === "object" ? first.host : options[1];
  if (!LOOPBACK.includes(host)) {
    appendFileSync(process.env.REFUSED_CONNECTIONS, `${host}\n`);
    throw new Error(`no connection to ${host}: only to this machine`);
  }
  return connect.apply(this, options);
};
