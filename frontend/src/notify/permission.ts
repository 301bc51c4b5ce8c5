/** What the browser says of notifications, or why it has none. */
export type Permission = 'granted' | 'default' | 'denied' | 'absent' | 'insecure';

interface Surroundings {
  Notification?: { permission: NotificationPermission };
  isSecureContext: boolean;
}

export function permissionIn(page: Surroundings): Permission {
  if (!page.isSecureContext) return 'insecure';
  return page.Notification?.permission ?? 'absent';
}
