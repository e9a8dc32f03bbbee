// What the arguments of functions may be, where the server's metadata says only that they are texts.
export const VALUES: Record<string, readonly string[]> = {
  authentication: ['integrated', 'directoryServices'],
  mode: ['archive'],
  status: ['active', 'suspended'],
  sort: ['date', 'archived', 'size', 'from', 'to', 'subject'],
  order: ['asc', 'desc'],
  group: ['none', 'copies', 'conversation'],
  preset: ['today', 'yesterday', 'this-week', 'last-week', 'this-month', 'last-month', 'this-year', 'last-year', 'custom'],
  attachments: ['any', 'with', 'without', 'neither'],
};

/** Suggested, but several may stand side by side. */
export const LISTS: Record<string, readonly string[]> = {
  privileges: ['none', 'admin', 'login', 'login,changePassword', 'read', 'read,write', 'read,write,delete'],
  fields: ['subject', 'addresses', 'body', 'attachmentNames', 'attachmentContents'],
  importance: ['low', 'normal', 'high'],
  kinds: ['all', 'none'],
};

export const isSecret = (argument: string): boolean => /password|secret|key$/i.test(argument);

/** What is asked about before it is done. */
export const isDestructive = (name: string): boolean => /^(Delete|Clear|Detach|Reset|Drop|Remove|Purge|Process)/.test(name);
