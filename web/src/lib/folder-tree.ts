// Folders as a tree. Folders above readable ones that are not readable themselves are shown too,
// since the tree would have holes; they cannot be opened.
import type { Folder } from './api';

export interface FolderNode {
  path: string;
  name: string;
  messages: number;
  readable: boolean;
  children: FolderNode[];
}

function nodeAt(level: FolderNode[], path: string, name: string): FolderNode {
  const known = level.find((node) => node.path === path);
  if (known !== undefined) return known;
  const made: FolderNode = { path, name, messages: 0, readable: false, children: [] };
  level.push(made);
  return made;
}

function insert(roots: FolderNode[], folder: Folder): void {
  let level = roots;
  let path = '';
  for (const name of folder.path.split('/')) {
    path = path === '' ? name : `${path}/${name}`;
    const node = nodeAt(level, path, name);
    if (path === folder.path) {
      node.messages = folder.messages;
      node.readable = true;
    }
    level = node.children;
  }
}

/** The user's own archive first, what has no owner last. */
function rank(node: FolderNode, own: string): number {
  if (node.path.startsWith('@')) return 2;
  return node.path.toLowerCase() === own.toLowerCase() ? 0 : 1;
}

export function folderTree(folders: readonly Folder[], own: string): FolderNode[] {
  const roots: FolderNode[] = [];
  for (const folder of folders) insert(roots, folder);
  return roots.sort((a, b) => rank(a, own) - rank(b, own) || a.name.localeCompare(b.name));
}

export interface FlatNode {
  node: FolderNode;
  level: number;
  position: number;
  siblings: number;
}

/** The nodes that are to be seen, in their order. */
export function flatten(nodes: readonly FolderNode[], isOpen: (path: string) => boolean, level = 1): FlatNode[] {
  return nodes.flatMap((node, i) => {
    const flat = { node, level, position: i + 1, siblings: nodes.length };
    return isOpen(node.path) ? [flat, ...flatten(node.children, isOpen, level + 1)] : [flat];
  });
}
