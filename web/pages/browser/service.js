/** The service's addresses. The page may stand under a path of a proxy, and its modules stand in the folder of a version. */

const root = new URL(document.querySelector('meta[name="service"]').content, document.baseURI);

/** The address of a path of the service: "describe/whisper". */
export const serviceUrl = (path) => new URL(path, root);
