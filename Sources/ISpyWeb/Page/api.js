// The local API of ispy. Authorization is a cookie that this page never sees.

const base = "/api/v1/";

export class APIError extends Error {
  constructor(status, kind, text, fields = []) {
    super(text);
    this.status = status;
    this.kind = kind;
    /// [{path, text}]: what is wrong with fields of a document.
    this.fields = fields;
  }
}

/// Called when ispy asks for its password.
let onLoginNeeded = () => {};
export function whenLoginNeeded(action) {
  onLoginNeeded = action;
}

/// A path from parts; each is escaped, as names come from devices.
export const path = (...parts) => parts.map((part) => encodeURIComponent(part)).join("/");
export const devicePath = (connection, device, ...rest) => path("connections", connection, "devices", device, ...rest);
export const address = (path) => base + path;

async function failure(response) {
  let error = null;
  try {
    error = (await response.json()).error;
  } catch {
    // Not from ispy; the status has to do.
  }
  return problem(response.status, error);
}

function problem(status, error) {
  const kind = error?.kind ?? "failed";
  if (kind === "loginNeeded") onLoginNeeded();
  return new APIError(status, kind, error?.text ?? `ispy answered with status ${status}`, error?.fields);
}

async function send(method, path, { body, type, signal } = {}) {
  let response;
  try {
    response = await fetch(base + path, {
      method, body, signal, credentials: "same-origin", cache: "no-store", redirect: "error",
      headers: type ? { "Content-Type": type } : {},
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new APIError(0, "noConnection", "No contact with ispy on this computer. Is it still running?");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function json(method, path, body, signal) {
  const hasBody = body !== undefined;
  const response = await send(method, path, { body: hasBody ? JSON.stringify(body) : undefined, type: hasBody ? "application/json" : undefined, signal });
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

export const get = (path, signal) => json("GET", path, undefined, signal);
export const post = (path, body = {}) => json("POST", path, body);
export const put = (path, body) => json("PUT", path, body);
export const remove = (path) => json("DELETE", path);

/// Bytes of a file, for a download.
export async function getBytes(path, signal) {
  return (await send("GET", path, { signal })).blob();
}

/// Sends a file. XMLHttpRequest, because fetch does not tell the progress of sending.
export function upload(method, path, file, onProgress = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, base + path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "text";
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new APIError(0, "noConnection", "The file could not be sent: no contact with ispy."));
    request.onload = () => {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // An empty or foreign answer.
      }
      if (request.status >= 200 && request.status < 300) resolve(answer);
      else reject(problem(request.status, answer?.error));
    };
    request.send(file);
  });
}
