// Box's Node SDK through a day's work. Settings and a login code come as JSON in argv[2]; one line of JSON comes out.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BoxClient, BoxOAuth, OAuthConfig } from 'box-node-sdk';
import { BaseUrls } from 'box-node-sdk/networking';
import { NetworkSession } from 'box-node-sdk/networking';

const { settings, code } = JSON.parse(process.argv[2]);
const saw = {};

const baseUrls = new BaseUrls({
  baseUrl: settings.BOX_API_URL,
  uploadUrl: settings.BOX_UPLOAD_URL,
  oauth2Url: `${settings.BOX_API_URL}/api/oauth2`,
});
const network = new NetworkSession({ baseUrls });
const auth = new BoxOAuth({
  config: new OAuthConfig({ clientId: settings.CLIENT_ID, clientSecret: settings.CLIENT_SECRET }),
});
const client = new BoxClient({ auth, networkSession: network });

async function text(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

// sign in
await auth.getTokensAuthorizationCodeGrant(code, network);
saw.user = (await client.users.getUserMe()).login;

// list, a page at a time
const first = await client.folders.getFolderItems('0', { queryParams: { limit: 2, sort: 'name', direction: 'DESC' } });
const marked = await client.folders.getFolderItems('0', { queryParams: { usemarker: true, limit: 2 } });
saw.list = [first.totalCount, first.entries.length, marked.entries.length, Boolean(marked.nextMarker)];

// create
const folder = await client.folders.createFolder({ name: 'From Node', parent: { id: '0' } });
saw.create = [folder.type, folder.name, folder.parent.id];
saw.conflict = await client.folders
  .createFolder({ name: 'from node', parent: { id: '0' } })
  .then(() => 'none', (error) => [error.responseInfo.statusCode, error.responseInfo.body.code]);

// upload: whole, as a new version, after a preflight check, and in parts
const upload = async (content) => {
  const body = { attributes: { name: 'note.txt', parent: { id: folder.id } }, file: Readable.from([Buffer.from(content)]) };
  return (await client.uploads.uploadFile(body)).entries[0];
};
const file = await upload('hello from node');
const body = { attributes: { name: 'note.txt' }, file: Readable.from([Buffer.from('hello again')]) };
const version = (await client.uploads.uploadFileVersion(file.id, body)).entries[0];
const checked = await client.uploads.uploadWithPreflightCheck({
  attributes: { name: 'checked.txt', parent: { id: folder.id }, size: 5 },
  file: Readable.from([Buffer.from('12345')]),
});
const big = Buffer.alloc(20 * 1024 * 1024 + 5, 'abcdefg');
const whole = await client.chunkedUploads.uploadBigFile(Readable.from([big]), 'big.bin', big.length, folder.id);
saw.upload = [file.name, version.id === file.id, checked.entries[0].name, whole.size];

// download
saw.download = String(await text(await client.downloads.downloadFile(file.id)));
const back = await text(await client.downloads.downloadFile(whole.id));
saw.bytes = createHash('sha1').update(back).digest('hex') === whole.sha1;

// search
const found = await client.search.searchForContent({ query: 'note', ancestorFolderIds: [folder.id] });
saw.search = found.entries.map((entry) => entry.name);

// rename, share, comment
const renamed = await client.files.updateFileById(file.id, { requestBody: { name: 'renamed.txt' } });
const shared = await client.sharedLinksFiles.addShareLinkToFile(
  file.id,
  { sharedLink: { access: 'open' } },
  { fields: 'shared_link' },
);
const comment = await client.comments.createComment({ message: 'hi', item: { id: file.id, type: 'file' } });
saw.change = [renamed.name, shared.sharedLink.access, comment.message];

// a token for a browser
const narrow = await auth.downscopeToken(['item_download'], `${settings.BOX_API_URL}/2.0/files/${file.id}`, undefined, network);
saw.downscope = [narrow.restrictedTo.map((part) => part.scope), narrow.refreshToken ?? null];

// delete, refresh, sign out
await client.files.deleteFileById(file.id);
await client.folders.deleteFolderById(folder.id, { queryParams: { recursive: true } });
saw.delete = await client.folders.getFolderById(folder.id).then(() => 'there', (error) => error.responseInfo.statusCode);
await auth.refreshToken(network);
saw.refresh = (await client.users.getUserMe()).login;
await auth.revokeToken(network);

console.log(JSON.stringify(saw));
